import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// Messages to a loop from any thread. The loop's epoll set watches the descriptor; posting never waits.
final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Lock<[Message]>([])
    private let wake: Descriptor

    init() throws(SystemError) {
        let raw = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard raw >= 0 else { throw .last(of: "eventfd") }
        wake = Descriptor(owning: raw)
    }

    /// Readable while messages wait.
    var descriptor: Int32 { wake.raw }

    func post(_ message: Message) {
        let isFirst = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if isFirst { eventfd_write(wake.raw, 1) }
    }

    /// Takes all messages, in the order in which they were posted.
    func takeAll() -> [Message] {
        var count: eventfd_t = 0
        eventfd_read(wake.raw, &count)
        return messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}
