import FailoverCore
import FailoverSystem
import NIOCore

/// The limit of connections to the admin plane: a number of slots, and a reserve for probes.
///
/// If no slot is free, one idle connection is closed. Connections that have sent no request come first, then those
/// whose requests were refused or were only probes, then all others. Within each of these groups, the connection that
/// has been idle longest is closed. A connection whose request is being answered, or that follows the events, is never
/// closed. If no connection can be closed, the new one gets a slot of the reserve, where only probes are answered.
struct ConnectionSlots<ID: Hashable> {
    /// The decision about a new connection.
    struct Admission: Equatable {
        /// Whether the connection gets a slot. If not, it is closed.
        var isIn = true
        /// Whether the slot is one of the reserve.
        var isReserve = false
        /// The connection that is closed to free the slot.
        var evicted: ID?
    }

    /// What a connection has requested so far. Idle connections with the lowest value are closed first.
    private enum Standing: Int {
        case silent, unknown, trusted
    }

    private struct Holder {
        var standing = Standing.silent
        var isBusy = false
        /// When the connection became idle.
        var since: UInt64
        var isReserve: Bool
    }

    private var holders: [ID: Holder] = [:]
    private var moments: UInt64 = 0
    private let most: Int
    private let reserve: Int

    /// - Parameters:
    ///   - most: slots for all clients.
    ///   - reserve: additional slots for probes.
    init(most: Int, reserve: Int) {
        self.most = most
        self.reserve = reserve
    }

    /// The number of used slots.
    var count: Int { holders.count }

    /// Handles a new connection.
    mutating func arrived(_ id: ID) -> Admission {
        var admission = Admission()
        if count(inReserve: false) < most {
            take(id, isReserve: false)
        } else if let evicted = nextToGo(inReserve: false) {
            holders[evicted] = nil
            admission.evicted = evicted
            take(id, isReserve: false)
        } else {
            admission.isReserve = true
            if count(inReserve: true) >= reserve {
                admission.evicted = nextToGo(inReserve: true)
                admission.isIn = admission.evicted != nil
                if let evicted = admission.evicted { holders[evicted] = nil }
            }
            if admission.isIn { take(id, isReserve: true) }
        }
        return admission
    }

    /// Handles the start of a request.
    mutating func asked(_ id: ID) { holders[id]?.isBusy = true }

    /// Handles the end of a response. The connection may send further requests.
    ///
    /// - Parameter isTrusted: whether the request succeeded and was not one that every client may send.
    mutating func answered(_ id: ID, isTrusted: Bool) {
        guard var holder = holders[id] else { return }
        holder.isBusy = false
        if holder.standing != .trusted { holder.standing = isTrusted ? .trusted : .unknown }
        holder.since = moment()
        holders[id] = holder
    }

    /// Handles the end of a connection.
    mutating func left(_ id: ID) { holders[id] = nil }

    private func count(inReserve: Bool) -> Int { holders.values.count { $0.isReserve == inReserve } }

    private mutating func take(_ id: ID, isReserve: Bool) {
        holders[id] = Holder(since: moment(), isReserve: isReserve)
    }

    private mutating func moment() -> UInt64 {
        moments += 1
        return moments
    }

    private func nextToGo(inReserve: Bool) -> ID? {
        holders.filter { !$0.value.isBusy && $0.value.isReserve == inReserve }
            .min { ($0.value.standing.rawValue, $0.value.since) < ($1.value.standing.rawValue, $1.value.since) }?.key
    }
}

/// The connections that have a slot, with their channels, so that one can be closed for another.
final class AdmittedClients: Sendable {
    private struct State {
        var places: ConnectionSlots<ObjectIdentifier>
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state: Lock<State>

    /// - Parameters:
    ///   - most: slots for all clients.
    ///   - reserve: additional slots for probes.
    init(most: Int, reserve: Int) {
        state = Lock(State(places: ConnectionSlots(most: most, reserve: reserve)))
    }

    /// Handles a new connection. Closes another one if that is necessary.
    ///
    /// - Returns: whether the slot is one of the reserve; `nil` if there is no slot.
    func admit(_ channel: any Channel) -> Bool? {
        let (admission, evicted) = state.withLock { state in
            let admission = state.places.arrived(ObjectIdentifier(channel))
            if admission.isIn { state.channels[ObjectIdentifier(channel)] = channel }
            return (admission, admission.evicted.flatMap { state.channels.removeValue(forKey: $0) })
        }
        evicted?.close(promise: nil)
        return admission.isIn ? admission.isReserve : nil
    }

    /// Handles a complete request.
    func asked(_ channel: any Channel) { state.withLock { $0.places.asked(ObjectIdentifier(channel)) } }

    /// Handles the end of a response.
    func answered(_ channel: any Channel, isTrusted: Bool) {
        state.withLock { $0.places.answered(ObjectIdentifier(channel), isTrusted: isTrusted) }
    }

    /// Handles the end of a connection.
    func left(_ channel: any Channel) {
        state.withLock { state in
            state.places.left(ObjectIdentifier(channel))
            state.channels[ObjectIdentifier(channel)] = nil
        }
    }
}
