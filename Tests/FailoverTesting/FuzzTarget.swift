/// Code that reads foreign input, and a property that must hold for any input.
///
/// `scripts/fuzz NAME` plays the inputs of libFuzzer. `swift test` plays the files of the target's corpus. A target
/// does not use the testing library, because the fuzzer builds its file too.
public struct FuzzTarget: Sendable {
    /// The name of the target, and of its corpus folder, `Tests/MODULE/Corpus/NAME`.
    public let name: String
    /// Plays an input. Returns the violated property, or `nil`.
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
