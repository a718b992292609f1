@_exported public import FailoverConfiguration
@_exported public import FailoverMonitor

// A program that imports Failover also needs the types of these modules: configuration, service protocol, settings,
// failures and events.

/// The version of this package, as `failover --version` prints it.
public let failoverVersion = "0.2.0"
