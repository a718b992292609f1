/// The AMQP 0-9-1 methods that a server sends in a ping.
enum AMQPMethod: Equatable {
    /// connection.start, with the login mechanisms that the server offers, separated by spaces.
    case start(mechanisms: String)
    /// connection.tune
    case tune(channels: UInt16, frameSize: UInt32)
    /// connection.open-ok
    case opened
    /// connection.close: the server ends the connection and gives a reason.
    case close(code: UInt16, text: String)
    /// connection.close-ok
    case closed
    /// channel.open-ok
    case channelOpened
    /// channel.close: the server ends the channel and gives a reason.
    case channelClose(code: UInt16, text: String)
    /// channel.close-ok
    case channelClosed
    /// Any other method.
    case other

    /// Decodes the payload of a method frame.
    init(_ payload: [UInt8]) throws(ProtocolViolation) {
        var arguments = AMQPArguments(payload[...])
        switch (try arguments.short(), try arguments.short()) {
        case (10, 10):
            guard try arguments.short() == 0x0009 else { throw ProtocolViolation(message: "does not speak AMQP 0-9-1") }
            _ = try arguments.longBytes()
            self = .start(mechanisms: String(decoding: try arguments.longBytes(), as: UTF8.self))
        case (10, 30): self = .tune(channels: try arguments.short(), frameSize: try arguments.long())
        case (10, 41): self = .opened
        case (10, 50): self = .close(code: try arguments.short(), text: try arguments.shortString())
        case (10, 51): self = .closed
        case (20, 11): self = .channelOpened
        case (20, 40): self = .channelClose(code: try arguments.short(), text: try arguments.shortString())
        case (20, 41): self = .channelClosed
        default: self = .other
        }
    }
}

/// The frames that a ping sends.
extension AMQPFrame {
    /// The protocol header that opens a connection. It is not a frame.
    static let protocolHeader = Array("AMQP".utf8) + [0, 0, 9, 1]

    /// connection.start-ok: the login with PLAIN.
    static func startOK(user: String, password: String) -> AMQPFrame {
        frame(10, 11) { arguments in
            arguments.addLong(clientProperties)
            arguments.addShort("PLAIN")
            arguments.addLong([0] + Array(user.utf8) + [0] + Array(password.utf8))
            arguments.addShort("en_US")
        }
    }

    /// connection.tune-ok: the server's proposal, without heartbeats.
    static func tuneOK(channels: UInt16, frameSize: UInt32) -> AMQPFrame {
        frame(10, 31) { arguments in
            arguments.add(channels)
            arguments.add(frameSize)
            arguments.add(UInt16(0))
        }
    }

    /// connection.open
    static func open(virtualHost: String) -> AMQPFrame {
        frame(10, 40) { arguments in
            arguments.addShort(virtualHost)
            arguments.addShort("")
            arguments.add(UInt8(0))
        }
    }

    /// connection.close
    static let close = frame(10, 50, closing)
    /// connection.close-ok
    static let closeOK = frame(10, 51) { _ in }
    /// channel.open
    static let channelOpen = frame(20, 10, channel: 1) { $0.addShort("") }
    /// channel.close
    static let channelClose = frame(20, 40, channel: 1, closing)

    private static func frame(
        _ classNumber: UInt16, _ method: UInt16, channel: UInt16 = 0, _ write: (inout AMQPBytes) -> Void
    ) -> AMQPFrame {
        var payload = AMQPBytes()
        payload.add(classNumber)
        payload.add(method)
        write(&payload)
        return AMQPFrame(channel: channel, payload: payload.bytes)
    }

    private static func closing(_ arguments: inout AMQPBytes) {
        arguments.add(UInt16(200))
        arguments.addShort("")
        arguments.add(UInt32(0))
    }

    /// The properties announce a capability. Without it, RabbitMQ refuses a login by closing the connection without a
    /// reason.
    private static var clientProperties: [UInt8] {
        var capabilities = AMQPBytes()
        capabilities.addShort("authentication_failure_close")
        capabilities.add(UInt8(ascii: "t"))
        capabilities.add(UInt8(1))
        var properties = AMQPBytes()
        properties.addShort("product")
        properties.add(UInt8(ascii: "S"))
        properties.addLong("failover".utf8)
        properties.addShort("capabilities")
        properties.add(UInt8(ascii: "F"))
        properties.addLong(capabilities.bytes)
        return properties.bytes
    }
}
