import { describeFaults } from './faults.ts';

describeFaults('fail-after');
