import { serve } from '../node/threads.js';
import { READ_SETS } from './read-sets.js';

serve(READ_SETS);
