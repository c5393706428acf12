import { READ_MODULES } from './read-modules.js';
import { serve } from './threads.js';

serve(READ_MODULES);
