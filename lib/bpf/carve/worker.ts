import { serve } from '../../node/threads.js';
import { CARVE } from './files.js';

serve(CARVE);
