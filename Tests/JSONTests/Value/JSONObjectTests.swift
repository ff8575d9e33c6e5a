import JSON
import Testing

@Suite("JSON objects")
struct JSONObjectTests {
    @Test("Members keep their order through changes, with and without an index", arguments: [3, 16, 17, 100])
    func order(count: Int) {
        var object = JSONObject()
        object.reserveCapacity(count)
        for index in 0..<count { object["k\(index)"] = .integer(index) }
        object["k1"] = "changed"
        #expect(Array(object.keys) == (0..<count).map { "k\($0)" })
        #expect(object["k1"] == "changed")
        object["k0"] = nil
        #expect(object["k0"] == nil)
        #expect(object["k\(count - 1)"] == .integer(count - 1))
        #expect(object.first?.key == "k1")
        object["k0"] = .null
        #expect(object.last?.key == "k0")
        #expect(object["k0"] == .null)
        #expect(object.count == count)
        #expect(Array(object.values).count == count)
    }

    @Test("The order does not matter for equality, the keys and values do", arguments: [3, 40])
    func equality(count: Int) {
        let members = (0..<count).map { (key: "k\($0)", value: JSONValue.integer($0)) }
        let (object, reversed) = (JSONObject(members), JSONObject(members.reversed()))
        #expect(object == reversed)
        #expect(object.hashValue == reversed.hashValue)
        var other = object
        other["k0"] = 1.5
        #expect(object != other)
        #expect(JSONValue.integer(1) != .double(1))
    }

    @Test("Literals and descriptions")
    func literals() {
        let value: JSONValue = ["a": [1, 2.5, nil, true, "x"], "b": [:], "a": "again"]
        #expect(value.description == #"{"a":"again","b":{}}"#)
        #expect(value["b"]?.objectValue?.isEmpty == true)
        #expect(value["missing"] == nil)
        #expect(JSONValue.array([1])[1] == nil)
        #expect(value[0] == nil)
        #expect(value.serializedString(pretty: true) == "{\n  \"a\": \"again\",\n  \"b\": {}\n}")
        #expect(JSONValue.null.isNull)
    }
}
