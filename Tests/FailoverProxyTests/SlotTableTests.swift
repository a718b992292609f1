import Testing

@testable import FailoverProxy

@Suite("Slots of a loop")
struct SlotTableTests {
    @Test func anEventForAFormerTenantFindsNobody() {
        var table = SlotTable<String>()
        let slot = table.insert("first")
        let token = table.token(slot: slot, side: .backend)
        #expect(table.tenant(of: token)?.tenant == "first")
        #expect(table.tenant(of: token)?.side == .backend)
        table.remove(slot)
        #expect(table.insert("second") == slot)
        #expect(table.tenant(of: token) == nil)
        #expect(table.tenants == ["second"])
    }

    @Test func aPlaceIsFreedOnce() {
        var table = SlotTable<String>()
        let slot = table.insert("a")
        table.remove(slot)
        table.remove(slot)
        #expect(table.insert("b") != table.insert("c"))
        #expect(table.tenants.count == 2)
    }

    @Test func anUnknownTokenFindsNobody() {
        #expect(SlotTable<String>().tenant(of: 12345) == nil)
    }
}

@Suite("Log throttle")
struct LogThrottleTests {
    @Test func letsOneLineASecondThroughAndCountsTheRest() {
        var throttle = LogThrottle()
        #expect(throttle.allow(at: 5) == 0)
        #expect(throttle.allow(at: 6) == nil)
        #expect(throttle.allow(at: 7) == nil)
        #expect(throttle.allow(at: 1_000_000_005) == 2)
        #expect(throttle.allow(at: 2_000_000_005) == 0)
    }
}
