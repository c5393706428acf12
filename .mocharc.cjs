const { availableParallelism } = require('node:os');

// Files run beside each other: most of the time goes to mutation tests, which are files of their own and keep one core busy each.
module.exports = {
  spec: ['dist/test/**/*.test.js'],
  ignore: ['dist/test/kernels/**', 'dist/test/bundle/**', 'dist/test/browser/**'],
  'node-option': ['enable-source-maps'],
  parallel: true,
  jobs: availableParallelism(),
  timeout: 60_000,
};
