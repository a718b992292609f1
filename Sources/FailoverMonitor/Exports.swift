// Clients of FailoverMonitor need its settings, failures and events too.
@_exported public import FailoverCore
@_exported public import FailoverSystem
