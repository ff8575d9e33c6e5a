/// URI templates (RFC 6570, section 2).
enum URITemplateFormat {
    static func accepts(_ text: String) -> Bool {
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            if scalar == "{" {
                guard let end = rest.firstIndex(of: "}") else { return false }
                guard self.isExpression(rest[..<end]) else { return false }
                rest = rest[(end + 1)...]
            } else if scalar == "%" {
                guard rest.count >= 2, self.isHexadecimal(rest.removeFirst()), self.isHexadecimal(rest.removeFirst())
                else {
                    return false
                }
            } else if scalar.value <= 0x20 || scalar.value == 0x7F || "\"<>\\^`|}".unicodeScalars.contains(scalar) {
                return false
            }
        }
        return true
    }

    private static func isExpression(_ text: ArraySlice<Unicode.Scalar>) -> Bool {
        var text = text
        if let first = text.first, "+#./;?&=,!@|".unicodeScalars.contains(first) { text.removeFirst() }
        return text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy(self.isVariable)
    }

    /// A name, and then a length or a star.
    private static func isVariable(_ text: ArraySlice<Unicode.Scalar>) -> Bool {
        var name = text
        if name.last == "*" {
            name.removeLast()
        } else if let colon = name.firstIndex(of: ":") {
            let length = name[(colon + 1)...]
            guard (1...4).contains(length.count), length.first != "0", length.allSatisfy(self.isDigit) else {
                return false
            }
            name = name[..<colon]
        }
        // A dot stands between two other characters of the name.
        guard name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
            return false
        }
        var isName = true
        while isName, let scalar = name.popFirst() {
            if scalar == "%" {
                isName =
                    name.count >= 2 && self.isHexadecimal(name.removeFirst()) && self.isHexadecimal(name.removeFirst())
            } else {
                isName =
                    scalar == "_" || scalar == "." || scalar.isASCII && scalar.properties.isAlphabetic
                    || self.isDigit(scalar)
            }
        }
        return isName
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func isHexadecimal(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && UInt8(scalar.value).hexadecimalValue != nil
    }
}
