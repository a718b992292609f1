/// A kind of value that keys have: what the reference calls it, how it is written and how it is read.
struct ValueKind<Content: Sendable>: Sendable {
    /// What the reference calls it: `duration`, `close | keep`.
    let name: String
    /// `nil` leaves the key out.
    let write: @Sendable (Content) -> YAML?
    /// `nil` after reporting why the value is not of this kind.
    let read: @Sendable (Value) -> Content?
}

extension ValueKind {
    /// A kind that is made from text. Other values than text are told what is expected.
    init(
        name: String, expectation: String, write: @escaping @Sendable (Content) -> YAML?,
        parse: @escaping @Sendable (String) throws(InvalidText) -> Content
    ) {
        self.init(name: name, write: write) { $0.parse(expectation, parse) }
    }
}

// MARK: - Kinds of kinds

extension ValueKind {
    /// The kind by another name.
    func named(_ name: String) -> ValueKind { ValueKind(name: name, write: write, read: read) }

    /// The kind, held as something else.
    func mapped<Other: Sendable>(
        _ make: @escaping @Sendable (Content) -> Other, _ unmake: @escaping @Sendable (Other) -> Content
    ) -> ValueKind<Other> {
        ValueKind<Other>(name: name, write: { write(unmake($0)) }, read: { read($0).map(make) })
    }

    /// The kind with fewer values: `objection` says what is wrong with one.
    func checked(_ objection: @escaping @Sendable (Content) -> String?) -> ValueKind {
        ValueKind(name: name, write: write) { value in
            guard let content = read(value) else { return nil }
            guard let objection = objection(content) else { return content }
            value.report(objection)
            return nil
        }
    }

    /// The kind of a key that may be left out, and then has no value.
    static func optional<Wrapped>(_ kind: ValueKind<Wrapped>) -> ValueKind where Content == Wrapped? {
        ValueKind(name: kind.name, write: { $0.flatMap(kind.write) }, read: { kind.read($0).map(Optional.some) })
    }

    /// One value, or a list of them.
    ///
    /// - Parameters:
    ///   - ifEmpty: what an empty list is told; without it such a list is fine.
    ///   - ifRepeated: what an element is told that was there before, after its text.
    static func list<Element: Equatable>(
        _ kind: ValueKind<Element>, ifEmpty: String? = nil, ifRepeated: String? = nil
    ) -> ValueKind where Content == [Element] {
        ValueKind(name: "\(kind.name) or list", write: { .list($0.compactMap(kind.write)) }) { value in
            guard let values = value.elements() else { return nil }
            if values.isEmpty, let ifEmpty { value.report(ifEmpty) }
            var elements: [Element] = []
            for value in values {
                guard let element = kind.read(value) else { continue }
                if let ifRepeated, elements.contains(element) { value.report("\(element) \(ifRepeated)") }
                elements.append(element)
            }
            return elements.count == values.count ? elements : nil
        }
    }
}

// MARK: - Words

extension Value {
    /// What the word stands for.
    func choice<Meaning>(among choices: [(word: String, meaning: Meaning)]) -> Meaning? {
        let words = choices.map(\.word)
        let expectation = "expected \(words.count == 1 ? words.joined() : "one of \(words.joined(separator: ", "))")"
        guard let text = scalar(expectation) else { return nil }
        if let choice = choices.first(where: { $0.word == text }) { return choice.meaning }
        report("\(expectation), found \(text.quotedForMessage)")
        return nil
    }
}

extension ValueKind where Content: RawRepresentable<String> & CaseIterable {
    /// One of the raw values of an enumeration.
    static var choice: Self {
        let choices = Content.allCases.map { ($0.rawValue, $0) }
        return Self(name: choices.map(\.0).joined(separator: " | "), write: { .text($0.rawValue) }) {
            $0.choice(among: choices)
        }
    }
}

extension ValueKind {
    /// Several of the raw values of an enumeration.
    static func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable & Sendable>(ifEmpty: String? = nil)
        -> ValueKind
    where Content == Set<Choice> {
        ValueKind<[Choice]>.list(.choice, ifEmpty: ifEmpty)
            .mapped({ Set($0) }, { set in Choice.allCases.filter(set.contains) })
            .named("list of \(ValueKind<Choice>.choice.name)")
    }
}

extension ValueKind<Bool> {
    /// Whether something is so. `true` and `on` are the same, and so are `false` and `off`.
    static var boolean: Self {
        let words = [("true", true), ("false", false), ("on", true), ("off", false)]
        return Self(name: "boolean", write: { .plain(String($0)) }) { $0.choice(among: words) }
    }
}
