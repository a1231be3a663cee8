import { expect, it } from 'vitest';
import { Ledger, Violation } from './ledger.ts';

const look = (start: number) => ({ start, end: start + 1 });

it('an acknowledged change is seen by every later look, and by no look that a later change has overtaken', () => {
  const ledger = new Ledger();
  ledger.begin('v', 'publish', 'a', 0).acknowledged(10);
  expect(() => ledger.observe('v', undefined, look(5), 'a test')).not.toThrow();
  expect(() => ledger.observe('v', 'a', look(11), 'a test')).not.toThrow();
  expect(() => ledger.observe('v', undefined, look(11), 'a test')).toThrow(Violation);
  ledger.begin('v', 'overwrite', 'b', 20).acknowledged(30);
  expect(ledger.contents('v', look(25))).toEqual(['a', 'b']);
  expect(ledger.contents('v', look(31))).toEqual(['b']);
  expect(() => ledger.observe('v', 'c', look(31), 'a test')).toThrow(/v has c/);
});

it('a change that was cut off explains what is seen until its last moment, and afterwards what was there', () => {
  const ledger = new Ledger();
  ledger.begin('v', 'publish', 'a', 0).acknowledged(1);
  ledger.begin('v', 'delete', undefined, 2).cutOff(3);
  expect(ledger.contents('v', look(10))).toEqual(['a', undefined]);
  ledger.begin('v', 'overwrite', 'b', 4).acknowledged(5);
  expect(ledger.contents('v', look(10))).toEqual(['b']);
});

it('of two publishes of one version one is acknowledged, unless a delete came between them', () => {
  const ledger = new Ledger();
  ledger.begin('v', 'publish', 'a', 0).acknowledged(1);
  expect(() => ledger.begin('v', 'publish', 'b', 2).acknowledged(3)).toThrow(Violation);
  ledger.begin('w', 'publish', 'a', 0).acknowledged(1);
  ledger.begin('w', 'delete', undefined, 2).acknowledged(3);
  expect(() => ledger.begin('w', 'publish', 'b', 4).acknowledged(5)).not.toThrow();
});
