"""Real servers that several lab modules share, one of each per test session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.lab.powershell_lab import PowerShellLab, open_lab, plain_lab
from tests.lab.programs import refuse
from tests.lab.samba_dc import SASL_OVER_TLS, SambaDC, require_samba, reserve_address


@dataclass
class DomainControllers:
    """The strict domain controller, and its twin that takes SASL inside TLS (started when first asked for)."""

    strict: SambaDC
    _twin: SambaDC
    _twin_runs: bool = False

    @property
    def sasl_over_tls(self) -> SambaDC:
        if not self._twin_runs:
            self._twin.start()
            self._twin_runs = True
        return self._twin

    def stop(self) -> None:
        self.strict.stop()
        self._twin.stop()


@pytest.fixture(scope="session")
def kerberos_library() -> None:
    """Skips (fails in CI) without the extra ``kerberos``."""
    from pkitools.errors import MissingDependencyError
    from pkitools.transport.kerberos import require_library

    try:
        require_library()
    except MissingDependencyError as error:
        refuse(error.message)


@pytest.fixture(scope="session")
def domain_controllers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DomainControllers]:
    require_samba()
    address, marker = reserve_address()
    twin_address, twin_marker = reserve_address()
    with marker, twin_marker:
        strict = SambaDC(tmp_path_factory.mktemp("dc"), address)
        strict.provision()
        twin = strict.clone(tmp_path_factory.mktemp("twin") / "dc", twin_address, SASL_OVER_TLS)
        controllers = DomainControllers(strict, twin)
        try:
            strict.start()
            yield controllers
        finally:
            controllers.stop()


@pytest.fixture(scope="session")
def samba_dc(domain_controllers: DomainControllers) -> SambaDC:
    """The strict domain controller of the lab, with users, groups and PKI objects, running."""
    return domain_controllers.strict


@pytest.fixture(scope="session")
def plain_powershell(pwsh: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerShellLab]:
    """PowerShell with the module, and no servers."""
    lab = plain_lab(tmp_path_factory.mktemp("pwsh"), pwsh)
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def powershell_lab(pwsh: str, samba_dc: SambaDC, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerShellLab]:
    """PowerShell with the module, a domain, a CA, web servers and a proxy."""
    lab = open_lab(tmp_path_factory.mktemp("pwsh-lab"), pwsh, samba_dc)
    yield lab
    lab.close()
