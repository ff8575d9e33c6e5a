import JSON
import Testing

@Suite("Damaged JSON")
struct MutationTests {
    @Test("20,000 damaged texts are refused or read, and what is read comes back the same")
    func mutations() throws {
        let seeds = try SharedData.files(in: "json-test-suite/test_parsing").map(SharedData.bytes)
            .filter { $0.count < 500 && (try? JSONValue(parsing: $0)) != nil }
        let interesting =
            Array("\"\\{}[],:.-+eEu0123456789abcdef \n\t".utf8) + [0, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xEF, 0xFF]
        var generator = SeededGenerator(seed: 20_261_124)
        var accepted = 0
        for _ in 0..<20_000 {
            guard var text = seeds.randomElement(using: &generator) else { break }
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0...text.count, using: &generator)
                let byte = interesting.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text.insert(byte, at: position)
                case 1 where position < text.count: text[position] = byte
                case 2 where position < text.count: text.remove(at: position)
                default: text.append(contentsOf: text.prefix(position).suffix(8))
                }
            }
            guard let value = try? JSONValue(parsing: text) else { continue }
            accepted += 1
            let written = value.serialized()
            let again = try JSONValue(parsing: written)
            #expect(again == value)
            #expect(again.hashValue == value.hashValue)
            #expect(again.serialized() == written)
        }
        // If hardly anything is accepted, the test says little about writing.
        #expect(accepted > 1000)
    }
}
