extension Duration {
    /// A limit that only a hang exceeds, even on the slowest machine. For tests of what happens before it.
    public static let ample = Duration.seconds(240)
}

/// Tries increasing limits until the machine is fast enough for one: `first`, then ten times and a hundred times as
/// long.
///
/// For tests that must reach a time limit. On an idle machine the first limit is sufficient, so the test is fast. A
/// busy machine, which does not reach the required point within it, gets more time.
///
/// - Parameter isFar: whether the attempt reached the required point within its limit.
/// - Returns: the result of the last attempt.
public func patiently<Outcome>(
    _ first: Duration = .milliseconds(300), until isFar: (Outcome) -> Bool,
    _ attempt: (_ limit: Duration) async throws -> Outcome
) async rethrows -> Outcome {
    var outcome = try await attempt(first)
    for limit in [first * 10, first * 100] where !isFar(outcome) { outcome = try await attempt(limit) }
    return outcome
}
