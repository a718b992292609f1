@_exported public import FailoverConfiguration
@_exported public import FailoverMonitor

// Who imports Failover means its configuration, the service protocol, settings, failures and events too.

/// The version of this package, as `failover --version` prints it.
public let failoverVersion = "0.1.0"
