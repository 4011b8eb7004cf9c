import { commitLogContract } from '../../src/store/lmdb/commit-log.contract.js'
import { LocalLog } from '../../src/store/lmdb/commit-log.js'
import { LateLog } from './late-log.js'

commitLogContract('the disk of this machine', (disk) => new LocalLog(disk))
commitLogContract('one whose commits are in the tables later', (disk) => new LateLog(disk))
