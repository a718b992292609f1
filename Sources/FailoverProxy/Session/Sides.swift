/// Some of the two ends of a session.
struct Sides: OptionSet {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ side: Side) { rawValue = 1 << side.rawValue }
}
