/// Waits until a condition holds, and lets other tasks run in between.
///
/// - Returns: whether the condition held within `limit`. Only failing tests reach the limit.
public func eventually(
    within limit: Duration = .ample, _ condition: @Sendable () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        // The pause between two checks of the condition, not an estimate of its duration.
        try? await ContinuousClock().sleep(for: .milliseconds(2))
    }
    return try await condition()
}
