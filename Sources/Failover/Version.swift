/// The version of this package, as `failover --version` prints it.
public let failoverVersion = "0.1.0"
