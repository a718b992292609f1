import FailoverProxy

/// What a route's configuration lets expect of its sessions in a drill.
package struct DrillExpectation: Sendable {
    /// They are closed at the beginning: `on_outage: close`.
    package let leave: Bool
    /// They come back after the end: any `on_recovery` but `keep`.
    package let comeBack: Bool

    /// - Parameter name: of a route; one that is not known has the usual settings.
    package init(route name: String, of configuration: Configuration) {
        var session = SessionSettings()
        if case .database(let route) = configuration.service(named: name)?.kind { session = route.session }
        leave = session.onOutage == .close
        comeBack = session.onRecovery != .keep
    }
}
