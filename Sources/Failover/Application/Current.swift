import FailoverCore

/// A value that is in effect, until another is.
final class Current<Value: Sendable>: Sendable {
    private let lock: Lock<Value>

    init(_ value: Value) { lock = Lock(value) }

    var value: Value { lock.withLock { $0 } }

    func change(to value: Value) { lock.withLock { $0 = value } }
}
