import Testing

@testable import FailoverAdmin

@Suite("Connection slots of the admin plane")
struct ConnectionSlotsTests {
    private typealias Places = ConnectionSlots<Int>

    private func full(_ most: Int = 3, reserve: Int = 2) -> Places {
        var places = Places(most: most, reserve: reserve)
        for id in 1...most { #expect(places.arrived(id) == Places.Admission()) }
        return places
    }

    @Test func theOldestOfThoseWhoNeverAskedGoesFirst() {
        var places = full()
        #expect(places.arrived(4) == Places.Admission(evicted: 1))
        #expect(places.arrived(5) == Places.Admission(evicted: 2))
        #expect(places.count == 3)
    }

    @Test func whoIsKnownGoesLast() {
        var places = full()
        for id in 1...3 { places.asked(id) }
        places.answered(1, isTrusted: true)
        places.answered(3, isTrusted: false)
        places.answered(2, isTrusted: false)
        #expect(places.arrived(4).evicted == 4 - 1)
        #expect(places.arrived(5).evicted == 4)
        #expect(places.arrived(6).evicted == 5)
        places.asked(6)
        #expect(places.arrived(7).evicted == 2)
        places.asked(7)
        #expect(places.arrived(8).evicted == 1)
    }

    @Test func whoIsAnsweredStaysAndProbesHaveTheReserve() {
        var places = full()
        for id in 1...3 { places.asked(id) }
        #expect(places.arrived(4) == Places.Admission(isReserve: true))
        #expect(places.arrived(5) == Places.Admission(isReserve: true))
        #expect(places.arrived(6) == Places.Admission(isReserve: true, evicted: 4))
        places.asked(5)
        places.asked(6)
        #expect(places.arrived(7) == Places.Admission(isIn: false, isReserve: true))
        places.left(2)
        #expect(places.arrived(8) == Places.Admission())
        places.left(5)
        places.asked(8)
        #expect(places.arrived(9) == Places.Admission(isReserve: true))
    }

    @Test func whoHasGoneIsNotCounted() {
        var places = full()
        places.left(1)
        places.left(1)
        places.left(99)
        places.asked(99)
        places.answered(99, isTrusted: true)
        #expect(places.count == 2)
        #expect(places.arrived(4) == Places.Admission())
    }
}
