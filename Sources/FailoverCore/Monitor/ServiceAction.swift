/// What the owner of a ``ServiceStateMachine`` must do, in the order of the array.
public enum ServiceAction: Hashable, Sendable {
    /// Start a ping, and report its result with ``ServiceStateMachine/pingFinished(_:now:)``.
    case startPing(PingRequest)
    /// The service has moved to another of its possible servers: log, publish an event.
    case moved(from: Endpoint, to: Endpoint)
    /// A replica's data is too old: log, notify.
    case stale(Staleness)
    /// The replica's data is fresh again: log, notify.
    case fresh(after: Duration)
    /// The service is suspect because of this error, so new sessions try other servers first: log.
    case suspect(ObservedError)
    /// The server refuses sessions with this error, so new sessions try other servers first: log.
    case refusesSessions(ServiceStanding.Availability, ObservedError)
    /// The service is down: fail over, log, notify.
    case outage(PingFailure)
    /// The service is still down: log and notify again.
    case reminder(PingFailure, lasting: Duration)
    /// The service is still down, but other servers of its pool are down than before: log.
    case change(PingFailure)
    /// The service is back up: recover, log, notify.
    case recovery(after: Duration)
    /// The service is up, and its server refuses the monitor: log, notify. `fromTheStart` means that no ping has ever
    /// succeeded.
    case degraded(PingFailure, fromTheStart: Bool)
    /// The server still refuses the monitor: log and notify again.
    case stillDegraded(PingFailure, lasting: Duration)
    /// The server answers the monitor again: log, notify.
    case healthy(after: Duration)
    /// This machine could not ping the service: log.
    case couldNotAsk(PingFailure)
}

/// What requests a ping.
public enum PingTrigger: Hashable, Sendable {
    /// The passing of time.
    case timer
    /// A client arrived. A ping starts if the frequency of the state allows it.
    case newSession
    /// A session saw an error that `error_triggers` lists. A ping starts as soon as `errorInterval` allows it.
    case observedError(ObservedError)
    /// There is a reason to ping, but no backend error: a session waits too long for a backend, or a program saw an
    /// error. A ping starts as soon as `errorInterval` allows it.
    case doubt
    /// A session was served although the service is down. A ping starts now, unless the last one started less than a
    /// second ago.
    case served
    /// An operator requests a ping. It starts now.
    case `operator`
}
