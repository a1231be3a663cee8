import { describeFaults } from './faults.ts';

describeFaults('kill-after');
