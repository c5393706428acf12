# kelf alone: docker build -t kelf . && docker run --rm -v "$PWD:/work" kelf check vmlinux --require tools.yaml
FROM node:22-slim AS build
WORKDIR /kelf
COPY . .
RUN npm ci --no-fund --no-audit && npm prune --omit=dev --ignore-scripts

FROM node:22-slim
COPY --from=build /kelf/package.json /kelf/LICENSE /opt/kelf/
COPY --from=build /kelf/dist /opt/kelf/dist
COPY --from=build /kelf/docs/reasons /opt/kelf/docs/reasons
COPY --from=build /kelf/node_modules /opt/kelf/node_modules
RUN ln -s /opt/kelf/dist/cli/kelf.cjs /usr/local/bin/kelf
USER node
WORKDIR /work
ENTRYPOINT ["kelf"]
