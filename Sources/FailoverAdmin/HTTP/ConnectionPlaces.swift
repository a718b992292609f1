/// Who may hold a connection to the admin plane: so many at a time, and some more for probes.
///
/// Where there is no place left, the one is closed that has waited longest of those who ask for nothing: who never has, before
/// who was refused or asked a probe only, before who was answered. Who is being answered or follows the events is never closed;
/// if all are such, there are places in reserve, where nothing but probes is answered.
struct ConnectionPlaces<ID: Hashable> {
    /// What becomes of a connection that has come.
    struct Admission: Equatable {
        /// Whether it has a place; it is closed if not.
        var isIn = true
        /// Whether it has one of those in reserve.
        var isReserve = false
        /// Whose place it gets, who is to be closed.
        var evicted: ID?
    }

    /// What a connection is known for; of those that wait the least goes first.
    private enum Standing: Int {
        case silent, unknown, trusted
    }

    private struct Holder {
        var standing = Standing.silent
        var isBusy = false
        /// When it began to wait.
        var since: UInt64
        var isReserve: Bool
    }

    private var holders: [ID: Holder] = [:]
    private var moments: UInt64 = 0
    private let most: Int
    private let reserve: Int

    /// - Parameters:
    ///   - most: places for everybody.
    ///   - reserve: those beyond.
    init(most: Int, reserve: Int) {
        self.most = most
        self.reserve = reserve
    }

    /// Places that are taken.
    var count: Int { holders.count }

    /// A connection has come.
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

    /// It has asked for something.
    mutating func asked(_ id: ID) { holders[id]?.isBusy = true }

    /// It has its answer, and may ask for more.
    ///
    /// - Parameter isTrusted: whether that was more than everybody gets.
    mutating func answered(_ id: ID, isTrusted: Bool) {
        guard var holder = holders[id] else { return }
        holder.isBusy = false
        if holder.standing != .trusted { holder.standing = isTrusted ? .trusted : .unknown }
        holder.since = moment()
        holders[id] = holder
    }

    /// It is closed.
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
