import FailoverTesting
import Foundation
import Testing

@testable import FailoverAdmin

@Suite("JSON of responses")
struct JSONWriterTests {
    private struct Parts: JSONValue {
        let name: String
        let lag: Double?
        let ports: [Int]

        func write(to json: inout JSONWriter) {
            json.object { json in
                json.field("name", name)
                json.field("lag", lag)
                json.field("ports", ports)
            }
        }
    }

    @Test func fieldsKeepTheirOrderAndWhatIsAbsentIsNull() {
        #expect(
            JSONWriter.text([Parts(name: "a", lag: nil, ports: []), Parts(name: "b", lag: 1.25, ports: [1, -2])])
                == #"[{"name":"a","lag":null,"ports":[]},{"name":"b","lag":1.25,"ports":[1,-2]}]"#)
        #expect(JSONWriter.text(["b": ["x": true], "a": [:]]) == #"{"a":{},"b":{"x":true}}"#)
    }

    @Test(arguments: [(3.0, "3"), (-0.5, "-0.5"), (1e300, "1e+300"), (.infinity, "null"), (.nan, "null")])
    func numbersAreThoseOfJSON(_ number: Double, text: String) {
        #expect(JSONWriter.text(number) == text)
    }

    /// Foundation reads back what was written, whatever the characters are.
    @Test func textsAreReadAsTheyWere() throws {
        for first in (0..<0x250).compactMap(Unicode.Scalar.init) {
            let text = "\(Character(first))a\"\\/\u{1F600}\(Character(first))"
            let read = try JSONSerialization.jsonObject(with: Data(JSONWriter.bytes(["k\(text)": text])))
            #expect(read as? [String: String] == ["k\(text)": text])
        }
    }
}
