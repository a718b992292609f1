/// Something that reads what others wrote, and what has to hold of it whatever they wrote.
///
/// `scripts/fuzz NAME` plays what libFuzzer thinks of; `swift test` plays the files of the target's corpus. A target knows
/// nothing of tests: the fuzzer builds its file too.
public struct FuzzTarget: Sendable {
    /// Also the folder of its corpus, `Tests/MODULE/Corpus/NAME`.
    public let name: String
    /// Plays an input; says what is not true though it must be, `nil` if all is well.
    public let violation: @Sendable (inout FuzzInput) -> String?

    public init(_ name: String, _ violation: @escaping @Sendable (inout FuzzInput) -> String?) {
        self.name = name
        self.violation = violation
    }

    public func violation(in bytes: [UInt8]) -> String? {
        var input = FuzzInput(bytes)
        return violation(&input)
    }
}
