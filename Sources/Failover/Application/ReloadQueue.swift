import FailoverCore

/// Reloads, one after the other.
final class ReloadQueue: Sendable {
    private struct Request: Sendable {
        let configuration: Configuration
        let answer: CheckedContinuation<String, any Error>
    }

    private let requests: AsyncStream<Request>
    private let add: AsyncStream<Request>.Continuation

    init() { (requests, add) = AsyncStream.makeStream(of: Request.self) }

    /// Waits until the configuration is in effect.
    ///
    /// - Returns: what changed, in a line.
    /// - Throws: ``ReloadError``, or why it cannot be; nothing has changed then.
    func reload(_ configuration: Configuration) async throws -> String {
        try await withCheckedThrowingContinuation { answer in
            let result = add.yield(Request(configuration: configuration, answer: answer))
            if case .enqueued = result { return }
            answer.resume(throwing: ReloadError(words: "the process is stopping"))
        }
    }

    /// Reloads until ``finish()``.
    func run(_ change: (Configuration) async throws -> String) async {
        for await request in requests {
            do {
                request.answer.resume(returning: try await change(request.configuration))
            } catch {
                request.answer.resume(throwing: error)
            }
        }
    }

    /// Those that come from now on are refused.
    func finish() { add.finish() }
}

/// Another configuration cannot take the present one's place.
public struct ReloadError: Error, Hashable, CustomStringConvertible {
    let words: String
    public var description: String { words }
}
