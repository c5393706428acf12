import { serve } from '../../node/threads.js';
import { CARVE } from './carve-files.js';

serve(CARVE);
