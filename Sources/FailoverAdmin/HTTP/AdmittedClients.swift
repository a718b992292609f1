import FailoverCore
import NIOCore

/// The connections that have a place, and their channels, so that one can be closed for another.
final class AdmittedClients: Sendable {
    private struct State {
        var places: ConnectionPlaces<ObjectIdentifier>
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state: Lock<State>

    /// - Parameters:
    ///   - most: places for everybody.
    ///   - reserve: those beyond, for probes.
    init(most: Int, reserve: Int) {
        state = Lock(State(places: ConnectionPlaces(most: most, reserve: reserve)))
    }

    /// A connection has come; closes another if that has to make room.
    ///
    /// - Returns: whether it has one of the places in reserve; `nil` when it has none.
    func admit(_ channel: any Channel) -> Bool? {
        let (admission, evicted) = state.withLock { state in
            let admission = state.places.arrived(ObjectIdentifier(channel))
            if admission.isIn { state.channels[ObjectIdentifier(channel)] = channel }
            return (admission, admission.evicted.flatMap { state.channels.removeValue(forKey: $0) })
        }
        evicted?.close(promise: nil)
        return admission.isIn ? admission.isReserve : nil
    }

    /// A whole request has come.
    func asked(_ channel: any Channel) { state.withLock { $0.places.asked(ObjectIdentifier(channel)) } }

    /// It is answered.
    func answered(_ channel: any Channel, isTrusted: Bool) {
        state.withLock { $0.places.answered(ObjectIdentifier(channel), isTrusted: isTrusted) }
    }

    /// It is closed.
    func left(_ channel: any Channel) {
        state.withLock { state in
            state.places.left(ObjectIdentifier(channel))
            state.channels[ObjectIdentifier(channel)] = nil
        }
    }
}
