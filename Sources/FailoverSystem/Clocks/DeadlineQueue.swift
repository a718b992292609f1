/// At most one deadline per slot, the earliest first: a binary heap that knows the position of each slot's entry.
package struct DeadlineQueue: Sendable {
    private struct Entry {
        var deadline: UInt64
        var slot: Int32
    }

    private var heap: [Entry] = []
    /// Position in the heap by slot; -1 if the slot has no deadline.
    private var positions: [Int32] = []

    package init() {}

    /// The earliest deadline; `nil` if there is none.
    package var first: UInt64? { heap.first?.deadline }

    /// Sets, moves or (with `nil`) removes a slot's deadline.
    package mutating func set(_ deadline: UInt64?, forSlot slot: Int) {
        let position = slot < positions.count ? Int(positions[slot]) : -1
        switch (position, deadline) {
        case (-1, nil): break
        case (-1, let deadline?): insert(deadline, slot: slot)
        case (_, nil): remove(at: position)
        case (_, let deadline?):
            heap[position].deadline = deadline
            settle(position)
        }
    }

    /// Removes the earliest deadline and returns its slot; `nil` if no deadline has passed.
    package mutating func popExpired(now: UInt64) -> Int? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        remove(at: 0)
        return Int(first.slot)
    }

    private mutating func insert(_ deadline: UInt64, slot: Int) {
        if slot >= positions.count {
            positions.append(contentsOf: repeatElement(-1, count: slot + 1 - positions.count))
        }
        heap.append(Entry(deadline: deadline, slot: Int32(slot)))
        positions[slot] = Int32(heap.count - 1)
        settle(heap.count - 1)
    }

    private mutating func remove(at position: Int) {
        positions[Int(heap[position].slot)] = -1
        let last = heap.removeLast()
        guard position < heap.count else { return }
        heap[position] = last
        positions[Int(last.slot)] = Int32(position)
        settle(position)
    }

    private mutating func settle(_ position: Int) {
        var position = position
        while position > 0, heap[position].deadline < heap[(position - 1) / 2].deadline {
            swap(position, (position - 1) / 2)
            position = (position - 1) / 2
        }
        while let child = earlierChild(of: position), heap[child].deadline < heap[position].deadline {
            swap(position, child)
            position = child
        }
    }

    private func earlierChild(of position: Int) -> Int? {
        let left = 2 * position + 1
        guard left < heap.count else { return nil }
        let right = left + 1
        return right < heap.count && heap[right].deadline < heap[left].deadline ? right : left
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        heap.swapAt(a, b)
        positions[Int(heap[a].slot)] = Int32(a)
        positions[Int(heap[b].slot)] = Int32(b)
    }
}
