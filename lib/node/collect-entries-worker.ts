import { COLLECT_ENTRIES } from './collect-entries.js';
import { serve } from './threads.js';

serve(COLLECT_ENTRIES);
