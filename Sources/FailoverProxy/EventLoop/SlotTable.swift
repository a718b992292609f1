/// The slots of a loop's tenants. Slots are reused. A generation number identifies late events of an earlier tenant.
struct SlotTable<Tenant> {
    private struct Slot {
        var generation: UInt32 = 0
        var tenant: Tenant?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []

    /// Gives the tenant a slot.
    mutating func insert(_ tenant: Tenant) -> Int {
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(Slot()) }
        slots[slot].tenant = tenant
        return slot
    }

    /// Frees the slot.
    mutating func remove(_ slot: Int) {
        guard slots[slot].tenant != nil else { return }
        slots[slot].tenant = nil
        slots[slot].generation &+= 1
        free.append(slot)
    }

    subscript(slot: Int) -> Tenant? { slots[slot].tenant }

    /// The value that epoll returns with an event: generation, slot, and which of the tenant's two sockets it is.
    func token(slot: Int, side: Side) -> UInt64 {
        UInt64(slots[slot].generation) << 32 | UInt64(slot) << 1 | UInt64(side.rawValue)
    }

    /// The tenant of a token; `nil` if it has left.
    func tenant(of token: UInt64) -> (tenant: Tenant, side: Side)? {
        let slot = Int(token & 0xffff_ffff) >> 1
        guard slot < slots.count, slots[slot].generation == UInt32(truncatingIfNeeded: token >> 32),
            let tenant = slots[slot].tenant
        else { return nil }
        return (tenant, token & 1 == 0 ? .client : .backend)
    }

    /// All current tenants.
    var tenants: [Tenant] { slots.compactMap(\.tenant) }
}

/// The two ends of a session.
enum Side: UInt8 {
    case client = 0
    case backend = 1

    var other: Side { self == .client ? .backend : .client }
}

/// Elements that a tenant of a loop checks in rounds, a few at a time, so that other tenants get their turn.
struct Rounds<Element> {
    /// The elements of the next round and the rest of the current one.
    private var waiting: [Element] = []
    private var round: [Element] = []

    /// Elements per turn, and nanoseconds between the turns of a round.
    private static var most: Int { 256 }
    private static var breath: UInt64 { 1_000_000 }

    var isEmpty: Bool { waiting.isEmpty && round.isEmpty }

    /// Adds the element to the next round.
    mutating func add(_ element: Element) { waiting.append(element) }

    /// The elements of this turn. They are removed unless they are added again. When a round is over, the next one
    /// begins.
    mutating func nextTurn() -> [Element] {
        if round.isEmpty { (round, waiting) = (waiting, []) }
        defer { round.removeLast(min(Self.most, round.count)) }
        return Array(round.suffix(Self.most))
    }

    /// Nanoseconds until the next turn; `nil` if there are no elements.
    ///
    /// - Parameter interval: nanoseconds between two rounds.
    func pause(betweenRounds interval: UInt64) -> UInt64? {
        isEmpty ? nil : round.isEmpty ? interval : Self.breath
    }
}
