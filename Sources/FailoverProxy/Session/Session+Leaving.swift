import FailoverCore
import Glibc

/// The end of a session that is not its client's doing.
extension Session {
    /// How long a client may take to read the last words once it says no more.
    private static let patience: UInt64 = 1_000_000_000
    /// How long it may go on with what it was in the midst of saying.
    private static let longestGoodbye: UInt64 = 10_000_000_000

    /// Ends a session that is served, with words where the protocol has a place for them.
    ///
    /// - Parameter message: what the client is told.
    func end(because message: String, as farewell: Farewell = .moving) {
        guard toClient.pending.isEmpty, !toClient.sourceEnded, let words = stream.lastWords(message, as: farewell)
        else { return close(because: message) }
        leave(saying: words)
    }

    /// Says the last words and waits until the client has read them: to close with bytes unread would be a reset, which
    /// takes the words with it.
    func leave(saying words: [UInt8]) {
        guard !isLeaving, !isClosed else { return }
        isLeaving = true
        leaveBackend()
        leavePlace()
        // A client that was told the end already hears no more.
        if !toClient.isFinished {
            guard client.send(words) == .bytes(words.count) else { return close(because: "the client does not read") }
            client.endSending()
        }
        openingDeadline = loop.now &+ Self.longestGoodbye
        loop.setDeadline(loop.now &+ Self.patience, slot: slot)
        discardClient()
    }

    /// Reads what nobody will get.
    func discardClient() {
        for turn in 0..<16 {
            switch client.receive(into: loop.readBuffer) {
            case .bytes:
                if turn == 0 { loop.setDeadline(min(openingDeadline, loop.now &+ Self.patience), slot: slot) }
            case .wouldBlock: return
            case .ended, .failed: return close(because: "the client was told the end")
            }
        }
        loop.resumeLater(slot: slot)
    }
}

// MARK: - When the process ends

extension Session {
    /// Ends it, with words where its protocol has a place for them.
    func shutDown() {
        let words = worker.wordsOfShutdown(route: route)
        guard !machine.isRelaying else { return end(because: words, as: .shutdown) }
        guard !isLeaving, !machine.isRefused else { return }
        leaveLines()
        leaveBackend()
        refuse(Refusal(kind: .closed, message: words))
    }
}

// MARK: - When the route changes

extension Session {
    /// A client that has connected and has not needed a server yet gets one as things are now.
    func chooseAgain() {
        guard machine.hasTriedNobody, backend == nil, !isQueued, !isLeaving else { return }
        share = share?.moved(to: nil)
        let (candidates, share) = worker.candidates(ofRoute: route)
        self.share = share
        machine.choose(candidates)
    }

    /// The alias that serves, or is tried, is down.
    func aliasIsDown(_ message: @autoclosure () -> String) {
        guard !isLeaving else { return }
        if machine.isRelaying {
            if settings.onOutage == .close { end(because: message()) }
        } else if backend != nil {
            backendFailed(.down)
        }
    }

    /// Whether the session can be ended without anybody losing anything: it stands at a transaction boundary, and
    /// nothing that the client sent waits to be read.
    var canMove: Bool {
        stream.isAtBoundary && toClient.pending.isEmpty && toBackend.pending.isEmpty && !client.hasMore
    }
}
