// Who imports Failover means the service protocol, its settings, failures and events too.
@_exported public import FailoverCore
