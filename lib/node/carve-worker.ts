import { CARVE } from './carve-files.js';
import { serve } from './threads.js';

serve(CARVE);
