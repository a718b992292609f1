public import Testing

/// Reports each failure of the test together with the lines of its ``Witness``es since the previous failure.
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
                    // The failure has been reported, or the time of the test has ended.
                    throw error
                } catch {
                    // An error that is caught outside would be reported without the witnesses.
                    Issue.record(error, sourceLocation: test.sourceLocation)
                }
            }
        }
        if witnesses.hasFailed { await afterFailure() }
    }
}

extension Trait where Self == Explained {
    /// Reports failures with the lines of the witnesses.
    public static var explained: Self { Explained {} }

    /// Reports failures with the lines of the witnesses, and keeps them from affecting the next test.
    ///
    /// - Parameter heal: called after a test that has failed.
    public static func explained(afterFailure heal: @escaping @Sendable () async -> Void) -> Self {
        Explained(afterFailure: heal)
    }
}
