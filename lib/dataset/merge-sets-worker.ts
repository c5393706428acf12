import { serve } from '../node/threads.js';
import { MERGE } from './merge-sets.js';

serve(MERGE);
