import FailoverCore
import FailoverTesting

@testable import FailoverChecks

extension FuzzTarget {
    static let ofChecks = [amqp, redis, memcached, heartbeat, replication, serverWords, postgresLogin, boundaryRows]

    /// The bytes of a RabbitMQ server.
    static let amqp = FuzzTarget("amqp") { input in
        var arrived: [UInt8] = []
        for piece in input.pieces() {
            arrived += piece
            do {
                while let frame = try AMQPFrame.take(from: &arrived) {
                    var again = frame.bytes + [1, 2]
                    if try AMQPFrame.take(from: &again) != frame || again != [1, 2] {
                        return "a frame is read otherwise"
                    }
                    if frame.type == AMQPFrame.method { _ = try AMQPMethod(frame.payload) }
                }
            } catch {
                return nil
            }
            if arrived.count > 64 << 10 { return "keeps \(arrived.count) bytes" }
        }
        return nil
    }

    /// The bytes of a Redis server.
    static let redis = FuzzTarget("redis") { input in
        guard var reader = RedisReplyReader() else { return nil }
        do {
            for piece in input.pieces() {
                try reader.feed(piece[...])
                while let reply = try reader.next() {
                    switch reply {
                    case .text(let text): _ = RedisInfo(text).trouble
                    case .error(let error):
                        _ = (error.isOfPermission, error.reason(at: .login), error.reason(at: .query))
                    case .other: break
                    }
                }
            }
        } catch {
            return nil
        }
        return nil
    }

    /// The bytes of a Memcached server.
    static let memcached = FuzzTarget("memcached") { input in
        var answer = MemcachedAnswer()
        for piece in input.pieces() where !answer.isWhole { answer.add(piece) }
        if let failure = answer.failure { _ = failure.message.asOneLine(hiding: Secret("secret")) }
        return nil
    }
}
