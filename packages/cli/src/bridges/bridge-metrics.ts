import type { BridgeView } from '@godwit/bridge'
import { Exposition } from '@godwit/broker'
