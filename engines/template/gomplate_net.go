package main

import (
	"net/netip"

	"go4.org/netipx"
)

// Net is gomplate's `net`; what asks the network is asked of the host.
type Net struct{}

func (Net) ParseIP(value any) (netip.Addr, error) { return netip.ParseAddr(text(value)) }

func (Net) ParseIPPrefix(value any) (Prefix, error) {
	found, err := netip.ParsePrefix(text(value))
	return Prefix{found}, err
}

func (Net) ParseIPRange(value any) (netipx.IPRange, error) { return netipx.ParseIPRange(text(value)) }

func (Net) LookupIP(name any) (any, error)    { return ask("net.LookupIP", text(name)) }
func (Net) LookupIPs(name any) (any, error)   { return ask("net.LookupIPs", text(name)) }
func (Net) LookupCNAME(name any) (any, error) { return ask("net.LookupCNAME", text(name)) }
func (Net) LookupTXT(name any) (any, error)   { return ask("net.LookupTXT", text(name)) }
func (Net) LookupSRV(name any) (any, error)   { return ask("net.LookupSRV", text(name)) }
func (Net) LookupSRVs(name any) (any, error)  { return ask("net.LookupSRVs", text(name)) }

func (Net) CIDRHost(_, _ any) (netip.Addr, error)          { return experimental[netip.Addr]() }
func (Net) CIDRNetmask(any) (netip.Addr, error)            { return experimental[netip.Addr]() }
func (Net) CIDRSubnets(_, _ any) ([]netip.Prefix, error)   { return experimental[[]netip.Prefix]() }
func (Net) CIDRSubnetSizes(...any) ([]netip.Prefix, error) { return experimental[[]netip.Prefix]() }

// Prefix is a network address with the methods that gomplate's library gives it.
type Prefix struct{ netip.Prefix }

func (p Prefix) IP() netip.Addr        { return p.Addr() }
func (p Prefix) Bits() uint8           { return uint8(p.Prefix.Bits()) }
func (p Prefix) Masked() Prefix        { return Prefix{p.Prefix.Masked()} }
func (p Prefix) Range() netipx.IPRange { return netipx.RangeOfPrefix(p.Prefix) }
func (p Prefix) Overlaps(other Prefix) bool {
	return p.Prefix.Overlaps(other.Prefix)
}
