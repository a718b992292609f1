import FailoverTesting

@testable import FailoverChecks

/// The part of a RabbitMQ server that a ping uses.
extension FaultyServerConnection {
    /// Sends a method of the server.
    func sendAMQP(_ classNumber: UInt16, _ method: UInt16, channel: UInt16 = 0, _ arguments: [UInt8] = []) {
        send(Self.amqp(classNumber, method, channel: channel, arguments))
    }

    static func amqp(
        _ classNumber: UInt16, _ method: UInt16, channel: UInt16 = 0, _ arguments: [UInt8] = []
    ) -> [UInt8] {
        let numbers = [UInt8(classNumber >> 8), UInt8(classNumber & 255), UInt8(method >> 8), UInt8(method & 255)]
        return AMQPFrame(channel: channel, payload: numbers + arguments).bytes
    }

    /// connection.start
    static func amqpStart(mechanisms: String = "PLAIN AMQPLAIN") -> [UInt8] {
        var arguments = AMQPBytes()
        arguments.add(UInt16(9))
        arguments.addLong([1, 97, UInt8(ascii: "t"), 1])
        arguments.addLong(mechanisms.utf8)
        arguments.addLong("en_US".utf8)
        return amqp(10, 10, arguments.bytes)
    }

    /// The arguments of a close.
    static func amqpReason(_ code: UInt16, _ text: String) -> [UInt8] {
        var arguments = AMQPBytes()
        arguments.add(code)
        arguments.addShort(text)
        arguments.add(UInt32(0))
        return arguments.bytes
    }

    /// Plays the first steps of a healthy server, and returns when the ping waits for the next one.
    ///
    /// The steps: start, tune, open-ok, channel.open-ok, channel.close-ok, close-ok.
    func serveAMQP(steps: Int = 6) {
        guard receive(exactly: 8) != nil else { return }
        let answers = [
            Self.amqpStart(), Self.amqp(10, 30, [0x07, 0xff, 0, 2, 0, 0, 0, 60]), Self.amqp(10, 41, [0]),
            Self.amqp(20, 11, channel: 1, [0, 0, 0, 0]), Self.amqp(20, 41, channel: 1), Self.amqp(10, 51),
        ]
        // start-ok, tune-ok with open, channel.open, channel.close, close
        let frames = [1, 2, 1, 1, 1]
        for step in 0..<steps {
            if step > 0 { for _ in 0..<frames[step - 1] { _ = receiveAMQP() } }
            send(answers[step])
        }
        if steps > 0, steps < 6 { for _ in 0..<frames[steps - 1] { _ = receiveAMQP() } }
    }

    /// Reads one frame's payload; `nil` if the client has closed.
    func receiveAMQP() -> [UInt8]? {
        guard let head = receive(exactly: 7) else { return nil }
        let size = head[3...].reduce(0) { $0 << 8 | Int($1) }
        return receive(exactly: size + 1)?.dropLast()
    }
}
