public import Testing

/// Each failure of the test is told with what its ``Witness``es have said since the one before.
public struct Explained: SuiteTrait, TestTrait, TestScoping {
    private let afterFailure: @Sendable () async -> Void

    public var isRecursive: Bool { true }

    init(afterFailure: @escaping @Sendable () async -> Void) { self.afterFailure = afterFailure }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        let witnesses = Witnesses()
        let handling = IssueHandlingTrait.compactMapIssues { issue in
            guard issue.isFailure else { return issue }
            var issue = issue
            witnesses.noteFailure()
            issue.comments += witnesses.tell().map { Comment(rawValue: $0) }
            return issue
        }
        try await handling.provideScope(for: test, testCase: testCase) {
            try await Witnesses.$ofThisTest.withValue(witnesses) {
                do {
                    try await function()
                } catch  where error is ExpectationFailedError || error is CancellationError {
                    // It has been told, or is the end of the test's time.
                    throw error
                } catch {
                    // Whoever catches it outside asks no witness.
                    Issue.record(error, sourceLocation: test.sourceLocation)
                }
            }
        }
        if witnesses.hasFailed { await afterFailure() }
    }
}

extension Trait where Self == Explained {
    /// Failures are told with what was seen.
    public static var explained: Self { Explained {} }

    /// Failures are told with what was seen, and do not spread to the next test.
    ///
    /// - Parameter heal: called after a test that has failed.
    public static func explained(afterFailure heal: @escaping @Sendable () async -> Void) -> Self {
        Explained(afterFailure: heal)
    }
}
