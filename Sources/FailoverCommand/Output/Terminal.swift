import FailoverCore
import FailoverNotify
import FailoverTelemetry
import FoundationEssentials
import Glibc

/// What standard output supports.
enum Terminal {
    /// Whether standard output is a terminal with colours.
    static var wantsColour: Bool { LogStyle.suiting(descriptor: STDOUT_FILENO) == .colour }

    /// The colours of states, as numbers of SGR sequences (ECMA-48).
    static let (green, red, yellow) = (32, 31, 33)
}

/// A table as text. Columns are as wide as their widest cell, with two spaces between them.
struct TextTable {
    /// A heading, and how its column is printed.
    struct Column {
        let heading: String
        var isNumeric = false
        /// Whether the column is left out if all its cells are empty.
        var isOptional = false
    }

    let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row with one cell per column. Control characters are removed, so that texts from servers and commands
    /// cannot control the terminal.
    mutating func add(_ cells: [String]) { rows.append(cells.map(\.withoutControls)) }

    /// A cell with the end of a certificate: `until 2027-01-02`; empty if there is no time.
    static func until(_ time: String?) -> String { time.map { "until \($0.prefix(10))" } ?? "" }

    /// The headings, then the rows, without spaces at the ends of lines.
    ///
    /// - Parameters:
    ///   - column: the column whose cells are coloured.
    ///   - colours: the colour of each row's cell, as numbers of SGR sequences (ECMA-48); none by default.
    func lines(colouring column: Int = 0, _ colours: [Int]? = nil) -> [String] {
        let shown = columns.indices.filter { index in
            !columns[index].isOptional || rows.contains { !$0[index].isEmpty }
        }
        let headings = columns.map(\.heading)
        let widths = columns.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String], _ decorated: [String]) -> String {
            let padded = shown.map { column in
                let padding = String(repeating: " ", count: widths[column] - cells[column].count)
                return columns[column].isNumeric ? padding + decorated[column] : decorated[column] + padding
            }
            let line = padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return [line(headings, headings)]
            + rows.enumerated().map { row, cells in
                var decorated = cells
                if let colours { decorated[column] = "\u{1b}[\(colours[row])m\(cells[column])\u{1b}[0m" }
                return line(cells, decorated)
            }
    }
}

extension String {
    /// The text in lines of at most `width` characters, unless a word is longer. Lines break at spaces.
    ///
    /// - Parameters:
    ///   - used: the number of characters that the first line already has.
    ///   - indent: the text before each line except the first.
    func wrapped(to width: Int = 110, after used: Int, indent: String) -> String {
        var lines = [""]
        var taken = used
        for word in split(separator: " ") {
            let isFirst = lines[lines.count - 1].isEmpty
            if !isFirst, taken + 1 + word.count > width {
                lines.append("")
                taken = indent.count
            }
            let space = lines[lines.count - 1].isEmpty ? "" : " "
            lines[lines.count - 1] += space + word
            taken += space.count + word.count
        }
        return lines.joined(separator: "\n" + indent)
    }
}

extension Encodable {
    /// JSON for people and programs: sorted keys in `snake_case`, one per line.
    func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
