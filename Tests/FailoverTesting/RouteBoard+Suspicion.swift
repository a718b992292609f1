package import FailoverCore

extension RouteBoard {
    /// Sessions suspect the alias, or no longer do.
    package func setSuspect(alias: Int, _ isSuspect: Bool) {
        setStanding(alias: alias, ServiceStanding(isSuspect: isSuspect))
    }
}
