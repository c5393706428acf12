import { serve } from '../node/threads.js';
import { INDEX } from './index-kernels.js';

serve(INDEX);
