extension Duration {
    /// A limit that only a hang passes, on the slowest of machines: for tests of what happens before it.
    public static let ample = Duration.seconds(240)
}

/// Tries with one limit after the other until the machine is quick enough for it: `first`, ten times and a hundred times as
/// long.
///
/// For tests in which a limit has to pass. On a quiet machine the first one does, so that nobody waits for long; a busy
/// one, which does not come as far as the test needs within it, is given more time.
///
/// - Parameter isFar: whether the attempt came as far as it should within its limit.
/// - Returns: What the latest attempt came to.
public func patiently<Outcome>(
    _ first: Duration = .milliseconds(300), until isFar: (Outcome) -> Bool,
    _ attempt: (_ limit: Duration) async throws -> Outcome
) async rethrows -> Outcome {
    var outcome = try await attempt(first)
    for limit in [first * 10, first * 100] where !isFar(outcome) { outcome = try await attempt(limit) }
    return outcome
}
