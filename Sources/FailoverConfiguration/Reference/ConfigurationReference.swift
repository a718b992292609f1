/// What you can write into the configuration file, made from ``Schema``: every key, its type, default and meaning.
package enum ConfigurationReference {
    /// A configuration file with every key in a place where it may stand.
    package static var yaml: String {
        var file = YAMLReference()
        file.write(Schema.top.documentation)
        return file.text
    }

    /// The reference as a chapter of Markdown.
    package static var markdown: String {
        var chapter = MarkdownReference()
        for section in Schema.top.documentation.withThoseInside { chapter.write(section) }
        return chapter.text
    }

    /// The types of keys, except choices and numbers.
    static let types: KeyValuePairs = [
        "address": """
        host:port, [v6]:port, *:port for every IPv4 address, or unix:/path; port 0 lets the kernel choose
        """,
        "boolean": "true or false; on and off are the same",
        "bytes": "16777216, 512kB, 64MB, 1GB or 1TB, as PostgreSQL writes them: a kB has 1024",
        "command": "a list: the absolute path of a program, then its arguments; no shell reads them",
        "duration": "2, 2.5, 500ms, 2s, 5m or 1h; a number alone is in seconds; whole milliseconds, a year at most",
        "list": "one or more values; a single one may stand without brackets",
        "network": "10.0.0.0/8, 2001:db8::/32, or one address",
        "path": "a relative one starts at the folder of the configuration file",
        "secret": """
        a text; {env: NAME}, a variable of the environment; {file: PATH}, a file without its last newline
        """,
    ]
}

/// Writes the reference as a configuration file, from whose format the manual page is made.
private struct YAMLReference {
    private(set) var text = ""
    /// The column of the comment beside a value, unless the value is longer.
    private static let column = 37

    init() {
        comment(
            """
            Every key of failover.yaml, in a place where it may stand, with its meaning above it and its type beside \
            it. The value is the default, so that you can leave the key out, unless the comment beside it says \
            otherwise: then it is an example. This file is made from the table by which the program reads keys \
            (failover reference), and so is the manual page failover.yaml(5). To begin with, copy minimal.yaml or \
            failover.yaml instead.
            """, at: "")
        text += "#\n# Types:\n#\n"
        for (name, meaning) in ConfigurationReference.types {
            text += "#   \(name.padded(to: 11))\(meaning)\n"
        }
        text += "\n"
    }

    /// Writes a section's keys below its heading. If the section is an element of a list, its first key follows a
    /// dash.
    mutating func write(_ section: SectionDocumentation, at indentation: String = "", isElement: Bool = false) {
        text += "\(indentation)## \(section.title)\n" + (indentation.isEmpty ? "\n" : "")
        var indentation = indentation
        for (index, key) in section.keys.enumerated() {
            let isFirst = isElement && index == 0
            let hasContent = !key.content.sections.isEmpty
            if hasContent, indentation.isEmpty, !text.hasSuffix("\n\n") { text += "\n" }
            comment(key.text, at: indentation)
            let start = "\(indentation)\(isFirst ? "- " : "")\(key.name):" + (key.value.map { " \($0)" } ?? "")
            let column = start.count < Self.column ? Self.column : start.count + 4
            text += "\(start.padded(to: column))# \(key.summary)\n"
            if isFirst { indentation += "  " }
            write(key.content, at: indentation + "  ")
            if hasContent, indentation.isEmpty { text += "\n" }
        }
    }

    private mutating func write(_ content: KeyDocumentation.Content, at indentation: String) {
        switch content {
        case .value: break
        case .section(let section): write(section, at: indentation)
        case .named(let entries, let more):
            for (index, (name, sections)) in entries.enumerated() {
                text += "\(index == 0 ? "" : "\n")\(indentation)\(name):\n"
                for section in sections { write(section, at: indentation + "  ") }
            }
            if !more.isEmpty { text += "\(indentation)\(more)\n" }
        case .list(let elements):
            for sections in elements {
                for (index, section) in sections.enumerated() {
                    write(section, at: index == 0 ? indentation : indentation + "  ", isElement: index == 0)
                }
            }
        }
    }

    private mutating func comment(_ paragraph: String, at indentation: String) {
        var line = "\(indentation)#"
        for word in paragraph.split(separator: " ") {
            if line.count + word.count >= 120 {
                text += "\(line)\n"
                line = "\(indentation)#"
            }
            line += " \(word)"
        }
        if !paragraph.isEmpty { text += "\(line)\n" }
    }
}

/// Writes the reference as Markdown.
private struct MarkdownReference {
    private(set) var text = """
        # Configuration

        Every key of the configuration file, with its type, its default and its meaning. The chapter is made from the
        table by which the program reads keys, and so is [config/reference.yaml](../config/reference.yaml).
        `failover validate --config FILE` reports every mistake of a file with its line and key; with `--print` it shows
        the value of every key.

        ## Types


        """

    init() {
        for (name, meaning) in ConfigurationReference.types { text += "* **\(name)**: \(meaning)\n" }
    }

    mutating func write(_ section: SectionDocumentation) {
        text += "\n## \(section.title)\n"
        var paragraph = ""
        for key in section.keys {
            if !key.text.isEmpty { paragraph = key.text }
            let value = key.value.map { key.isExample ? "" : "; default: `\($0)`" } ?? ""
            text += "\n### `\(key.name)`\n\n*\(key.summary)*\(value)\n\n\(paragraph)\n"
            if key.isExample, let value = key.value, value != key.type {
                text += "\nExample: `\(key.name): \(value)`\n"
            }
        }
    }
}

extension String {
    /// The text, padded with spaces to a length.
    fileprivate func padded(to length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
}
