/// Places for what a loop watches. A place is used again; its generation tells late events of the former tenant.
struct SlotTable<Tenant> {
    private struct Slot {
        var generation: UInt32 = 0
        var tenant: Tenant?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []

    /// Gives the tenant a place.
    mutating func insert(_ tenant: Tenant) -> Int {
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(Slot()) }
        slots[slot].tenant = tenant
        return slot
    }

    /// Frees the place.
    mutating func remove(_ slot: Int) {
        guard slots[slot].tenant != nil else { return }
        slots[slot].tenant = nil
        slots[slot].generation &+= 1
        free.append(slot)
    }

    subscript(slot: Int) -> Tenant? { slots[slot].tenant }

    /// What epoll gives back with an event: generation, slot, and which of the tenant's two sockets it is.
    func token(slot: Int, side: Side) -> UInt64 {
        UInt64(slots[slot].generation) << 32 | UInt64(slot) << 1 | UInt64(side.rawValue)
    }

    /// Who a token was made for, unless it has left since.
    func tenant(of token: UInt64) -> (tenant: Tenant, side: Side)? {
        let slot = Int(token & 0xffff_ffff) >> 1
        guard slot < slots.count, slots[slot].generation == UInt32(truncatingIfNeeded: token >> 32),
            let tenant = slots[slot].tenant
        else { return nil }
        return (tenant, token & 1 == 0 ? .client : .backend)
    }

    /// All tenants of this moment.
    var tenants: [Tenant] { slots.compactMap(\.tenant) }
}

/// The two ends of a session.
enum Side: UInt8 {
    case client = 0
    case backend = 1

    var other: Side { self == .client ? .backend : .client }
}
