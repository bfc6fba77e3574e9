package main

import (
	"errors"
	"fmt"
	gomath "math"
	"strconv"

	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"

	gocrypto "crypto"
	"github.com/google/uuid"
	"github.com/hairyhenderson/gomplate/v3/conv"
	"github.com/hairyhenderson/gomplate/v3/crypto"
	"github.com/hairyhenderson/gomplate/v3/math"
	"github.com/hairyhenderson/gomplate/v3/random"
	"golang.org/x/crypto/bcrypt"
)

// Math is gomplate's `math`.
type Math struct{}

func (Math) IsInt(value any) bool {
	switch found := value.(type) {
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return true
	case string:
		_, err := strconv.ParseInt(found, 0, 64)
		return err == nil
	}
	return false
}

func (m Math) IsFloat(value any) bool {
	switch found := value.(type) {
	case float32, float64:
		return true
	case string:
		_, err := strconv.ParseFloat(found, 64)
		return err == nil && !m.IsInt(found)
	}
	return false
}

func (m Math) IsNum(value any) bool { return m.IsInt(value) || m.IsFloat(value) }

func (m Math) anyFloat(values ...any) bool {
	for _, value := range values {
		if m.IsFloat(value) {
			return true
		}
	}
	return false
}

// folded combines the values as floats when any of them is one, else as whole numbers.
func (m Math) folded(values []any, fractions func(a, b float64) float64, wholes func(a, b int64) int64) any {
	if m.anyFloat(values...) {
		result := conv.ToFloat64(values[0])
		for _, value := range values[1:] {
			result = fractions(result, conv.ToFloat64(value))
		}
		return result
	}
	result := conv.ToInt64(values[0])
	for _, value := range values[1:] {
		result = wholes(result, conv.ToInt64(value))
	}
	return result
}

func (m Math) Add(values ...any) any {
	return m.folded(append([]any{int64(0)}, values...), func(a, b float64) float64 { return a + b }, func(a, b int64) int64 { return a + b })
}

func (m Math) Mul(values ...any) any {
	return m.folded(append([]any{int64(1)}, values...), func(a, b float64) float64 { return a * b }, func(a, b int64) int64 { return a * b })
}

func (m Math) Sub(a, b any) any {
	return m.folded([]any{a, b}, func(a, b float64) float64 { return a - b }, func(a, b int64) int64 { return a - b })
}

func (m Math) Max(first any, others ...any) (any, error) {
	return m.folded(append([]any{first}, others...), gomath.Max, func(a, b int64) int64 { return max(a, b) }), nil
}

func (m Math) Min(first any, others ...any) (any, error) {
	return m.folded(append([]any{first}, others...), gomath.Min, func(a, b int64) int64 { return min(a, b) }), nil
}

func (Math) Div(a, b any) (any, error) {
	if conv.ToFloat64(b) == 0 {
		return 0, errors.New("error: division by 0")
	}
	return conv.ToFloat64(a) / conv.ToFloat64(b), nil
}

func (Math) Rem(a, b any) any { return conv.ToInt64(a) % conv.ToInt64(b) }

func (m Math) Pow(a, b any) any {
	result := gomath.Pow(conv.ToFloat64(a), conv.ToFloat64(b))
	if m.IsFloat(a) {
		return result
	}
	return conv.ToInt64(result)
}

func (m Math) Abs(value any) any {
	result := gomath.Abs(conv.ToFloat64(value))
	if m.IsInt(value) {
		return conv.ToInt64(result)
	}
	return result
}

func (Math) Ceil(value any) any  { return gomath.Ceil(conv.ToFloat64(value)) }
func (Math) Floor(value any) any { return gomath.Floor(conv.ToFloat64(value)) }
func (Math) Round(value any) any { return gomath.Round(conv.ToFloat64(value)) }

func (Math) Seq(bounds ...any) ([]int64, error) {
	start, end, step := int64(1), int64(0), int64(1)
	switch len(bounds) {
	case 0:
		return nil, errors.New("math.Seq must be given at least an 'end' value")
	case 1:
		end = conv.ToInt64(bounds[0])
	case 2:
		start, end = conv.ToInt64(bounds[0]), conv.ToInt64(bounds[1])
	case 3:
		start, end, step = conv.ToInt64(bounds[0]), conv.ToInt64(bounds[1]), conv.ToInt64(bounds[2])
	}
	return math.Seq(start, end, step), nil
}

// What gomplate calls experimental fails unless it is switched on, which Atmos never does.
func experimental[T any]() (T, error) {
	var nothing T
	return nothing, errors.New("experimental function, but experimental mode not enabled")
}

// Crypto is gomplate's `crypto`.
type Crypto struct{}

func digest(sum []byte) string { return fmt.Sprintf("%02x", sum) }

func (Crypto) SHA1(value any) string   { sum := sha1.Sum(octets(value)); return digest(sum[:]) }
func (Crypto) SHA224(value any) string { sum := sha256.Sum224(octets(value)); return digest(sum[:]) }
func (Crypto) SHA256(value any) string { sum := sha256.Sum256(octets(value)); return digest(sum[:]) }
func (Crypto) SHA384(value any) string { sum := sha512.Sum384(octets(value)); return digest(sum[:]) }
func (Crypto) SHA512(value any) string { sum := sha512.Sum512(octets(value)); return digest(sum[:]) }
func (Crypto) SHA512_224(value any) string {
	sum := sha512.Sum512_224(octets(value))
	return digest(sum[:])
}
func (Crypto) SHA512_256(value any) string {
	sum := sha512.Sum512_256(octets(value))
	return digest(sum[:])
}

func (Crypto) SHA1Bytes(value any) ([]byte, error) {
	sum := sha1.Sum(octets(value))
	return sum[:], nil
}
func (Crypto) SHA256Bytes(value any) ([]byte, error) {
	sum := sha256.Sum256(octets(value))
	return sum[:], nil
}
func (Crypto) SHA224Bytes(value any) ([]byte, error) {
	sum := sha256.Sum224(octets(value))
	return sum[:], nil
}
func (Crypto) SHA384Bytes(value any) ([]byte, error) {
	sum := sha512.Sum384(octets(value))
	return sum[:], nil
}
func (Crypto) SHA512_224Bytes(value any) ([]byte, error) {
	sum := sha512.Sum512_224(octets(value))
	return sum[:], nil
}
func (Crypto) SHA512_256Bytes(value any) ([]byte, error) {
	sum := sha512.Sum512_256(octets(value))
	return sum[:], nil
}
func (Crypto) SHA512Bytes(value any) ([]byte, error) {
	sum := sha512.Sum512(octets(value))
	return sum[:], nil
}

func (Crypto) PBKDF2(password, salt, rounds, length any, hash ...string) (string, error) {
	by := gocrypto.SHA1
	if len(hash) > 0 {
		var err error
		if by, err = crypto.StrToHash(hash[0]); err != nil {
			return "", err
		}
	}
	key, err := crypto.PBKDF2(octets(password), octets(salt), conv.ToInt(rounds), conv.ToInt(length), by)
	return digest(key), err
}

func (c Crypto) WPAPSK(network, password any) (string, error) {
	return c.PBKDF2(password, network, 4096, 32)
}

func (Crypto) Bcrypt(arguments ...any) (string, error) {
	if current.Pure {
		return "", deferred{"crypto.Bcrypt"}
	}
	cost, value := bcrypt.DefaultCost, ""
	switch len(arguments) {
	case 0:
		return "", errors.New("bcrypt requires at least an 'input' value")
	case 1:
		value = text(arguments[0])
	case 2:
		cost, value = conv.ToInt(arguments[0]), text(arguments[1])
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(value), cost)
	return string(hash), err
}

func (Crypto) RSAEncrypt(string, any) ([]byte, error)         { return experimental[[]byte]() }
func (Crypto) RSADecrypt(string, []byte) (string, error)      { return experimental[string]() }
func (Crypto) RSADecryptBytes(string, []byte) ([]byte, error) { return experimental[[]byte]() }
func (Crypto) RSAGenerateKey(...any) (string, error)          { return experimental[string]() }
func (Crypto) RSADerivePublicKey(string) (string, error)      { return experimental[string]() }
func (Crypto) ECDSAGenerateKey(...any) (string, error)        { return experimental[string]() }
func (Crypto) ECDSADerivePublicKey(string) (string, error)    { return experimental[string]() }
func (Crypto) EncryptAES(string, ...any) ([]byte, error)      { return experimental[[]byte]() }
func (Crypto) DecryptAES(string, ...any) (string, error)      { return experimental[string]() }
func (Crypto) DecryptAESBytes(string, ...any) ([]byte, error) { return experimental[[]byte]() }

// Random is gomplate's `random`.
type Random struct{}

func drawn[T any](name string, draw func() (T, error)) (T, error) {
	if current.Pure {
		var nothing T
		return nothing, deferred{name}
	}
	return draw()
}

func (Random) ASCII(count any) (string, error) {
	return drawn("random.ASCII", func() (string, error) { return random.StringBounds(conv.ToInt(count), ' ', '~') })
}

func (Random) Alpha(count any) (string, error) {
	return drawn("random.Alpha", func() (string, error) { return random.StringRE(conv.ToInt(count), "[[:alpha:]]") })
}

func (Random) AlphaNum(count any) (string, error) {
	return drawn("random.AlphaNum", func() (string, error) { return random.StringRE(conv.ToInt(count), "[[:alnum:]]") })
}

func (Random) String(count any, from ...any) (string, error) {
	length := conv.ToInt(count)
	if length == 0 {
		return "", errors.New("count must be greater than 0")
	}
	return drawn("random.String", func() (string, error) {
		switch len(from) {
		case 2:
			lower, upper, err := codePoints(from[0], from[1])
			if err != nil {
				return "", err
			}
			return random.StringBounds(length, lower, upper)
		case 1:
			return random.StringRE(length, text(from[0]))
		}
		return random.StringRE(length, "")
	})
}

func codePoints(from, to any) (rune, rune, error) {
	bounds := [2]rune{}
	for position, value := range []any{from, to} {
		written, isText := value.(string)
		marks := []rune(written)
		switch {
		case !isText:
			bounds[position] = rune(conv.ToInt(value))
		case len(marks) == 1:
			bounds[position] = marks[0]
		default:
			code, err := strconv.ParseInt(written, 0, 32)
			if err != nil {
				return 0, 0, err
			}
			bounds[position] = rune(code)
		}
	}
	return bounds[0], bounds[1], nil
}

func (Random) Item(items any) (any, error) {
	list, ok := items.([]any)
	if !ok {
		return nil, fmt.Errorf("expected an array or slice, but got a %T", items)
	}
	return drawn("random.Item", func() (any, error) { return random.Item(list) })
}

func (Random) Number(bounds ...any) (int64, error) {
	low, high := int64(0), int64(100)
	switch len(bounds) {
	case 1:
		high = conv.ToInt64(bounds[0])
	case 2:
		low, high = conv.ToInt64(bounds[0]), conv.ToInt64(bounds[1])
	}
	return drawn("random.Number", func() (int64, error) { return random.Number(low, high) })
}

func (Random) Float(bounds ...any) (float64, error) {
	low, high := 0.0, 1.0
	switch len(bounds) {
	case 1:
		high = conv.ToFloat64(bounds[0])
	case 2:
		low, high = conv.ToFloat64(bounds[0]), conv.ToFloat64(bounds[1])
	}
	return drawn("random.Float", func() (float64, error) { return random.Float(low, high) })
}

// UUID is gomplate's `uuid`.
type UUID struct{}

func (UUID) V1() (string, error) {
	return drawn("uuid.V1", func() (string, error) { made, err := uuid.NewUUID(); return made.String(), err })
}

func (UUID) V4() (string, error) {
	return drawn("uuid.V4", func() (string, error) { made, err := uuid.NewRandom(); return made.String(), err })
}
func (UUID) Nil() (string, error)               { return uuid.Nil.String(), nil }
func (UUID) Parse(value any) (uuid.UUID, error) { return uuid.Parse(text(value)) }
func (UUID) IsValid(value any) (bool, error) {
	_, err := uuid.Parse(text(value))
	return err == nil, nil
}
