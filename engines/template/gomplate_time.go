package main

import (
	"fmt"
	"strconv"
	gostrings "strings"
	"time"

	"github.com/hairyhenderson/gomplate/v3/conv"
)

// Clock is gomplate's `time`; its fields are the layouts that templates name.
type Clock struct {
	ANSIC, UnixDate, RubyDate, RFC822, RFC822Z, RFC850, RFC1123, RFC1123Z, RFC3339, RFC3339Nano string
	Kitchen, Stamp, StampMilli, StampMicro, StampNano                                           string
}

func clock() Clock {
	return Clock{
		ANSIC: time.ANSIC, UnixDate: time.UnixDate, RubyDate: time.RubyDate, RFC822: time.RFC822, RFC822Z: time.RFC822Z,
		RFC850: time.RFC850, RFC1123: time.RFC1123, RFC1123Z: time.RFC1123Z, RFC3339: time.RFC3339, RFC3339Nano: time.RFC3339Nano,
		Kitchen: time.Kitchen, Stamp: time.Stamp, StampMilli: time.StampMilli, StampMicro: time.StampMicro, StampNano: time.StampNano,
	}
}

func now(name string) (time.Time, error) {
	return drawn(name, func() (time.Time, error) { return time.Now(), nil })
}

func (Clock) ZoneName() (string, error) {
	moment, err := now("time.ZoneName")
	name, _ := moment.Zone()
	return name, err
}

func (Clock) ZoneOffset() (int, error) {
	moment, err := now("time.ZoneOffset")
	_, offset := moment.Zone()
	return offset, err
}

func (Clock) Now() (time.Time, error) { return now("time.Now") }

func (Clock) Since(moment time.Time) (time.Duration, error) {
	today, err := now("time.Since")
	return today.Sub(moment), err
}

func (Clock) Until(moment time.Time) (time.Duration, error) {
	today, err := now("time.Until")
	return moment.Sub(today), err
}

func (Clock) Parse(layout string, value any) (time.Time, error) {
	return time.Parse(layout, text(value))
}

func (c Clock) ParseLocal(layout string, value any) (time.Time, error) {
	zone := current.Environment["TZ"]
	if zone == "" {
		zone = "Local"
	}
	return c.ParseInLocation(layout, zone, value)
}

func (Clock) ParseInLocation(layout, location string, value any) (time.Time, error) {
	zone, err := time.LoadLocation(location)
	if err != nil {
		return time.Time{}, err
	}
	return time.ParseInLocation(layout, text(value), zone)
}

func many(unit time.Duration, count any) time.Duration {
	return unit * time.Duration(conv.ToInt64(count))
}

func (Clock) Nanosecond(count any) time.Duration  { return many(time.Nanosecond, count) }
func (Clock) Microsecond(count any) time.Duration { return many(time.Microsecond, count) }
func (Clock) Millisecond(count any) time.Duration { return many(time.Millisecond, count) }
func (Clock) Second(count any) time.Duration      { return many(time.Second, count) }
func (Clock) Minute(count any) time.Duration      { return many(time.Minute, count) }
func (Clock) Hour(count any) time.Duration        { return many(time.Hour, count) }

func (Clock) ParseDuration(value any) (time.Duration, error) { return time.ParseDuration(text(value)) }

func (Clock) Unix(value any) (time.Time, error) {
	switch found := value.(type) {
	case float64:
		return time.Time{}, fmt.Errorf("can not parse floating point number (%f) - use a string instead", found)
	case int:
		return time.Unix(int64(found), 0), nil
	case uint64:
		return time.Unix(int64(found), 0), nil
	case nil:
		return time.Unix(0, 0), nil
	}
	whole, fraction, hasFraction := gostrings.Cut(fmt.Sprint(value), ".")
	if gostrings.Contains(fraction, ".") {
		return time.Time{}, fmt.Errorf("can not parse '%v' as a number - too many decimal points", value)
	}
	seconds, err := strconv.ParseInt(whole, 0, 64)
	if err != nil || !hasFraction {
		return time.Unix(seconds, 0), err
	}
	nanoseconds, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return time.Unix(seconds, nanoseconds), err
}
