/// Waits until a condition holds, giving other tasks the processor in between.
///
/// - Returns: Whether it held within `limit`, which is there for tests that fail: one that passes does not use it up.
public func eventually(
    within limit: Duration = .ample, _ condition: @Sendable () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        // The pause between two looks at the condition, not a guess at how long it takes.
        try? await ContinuousClock().sleep(for: .milliseconds(2))
    }
    return try await condition()
}
